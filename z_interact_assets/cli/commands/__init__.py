"""One command a module; the module has the command's name."""
