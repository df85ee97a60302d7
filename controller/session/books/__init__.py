"""Books that are kept over sessions and crashes."""
