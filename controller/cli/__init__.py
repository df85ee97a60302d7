"""The command line: `phasegate COMMAND`, one small file per command.

Nothing heavy is imported before a command needs it, so that help is instant.
"""
