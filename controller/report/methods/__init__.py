"""The methods section of a paper: a paragraph, and checklists filled in."""
