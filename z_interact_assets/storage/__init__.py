"""External systems, one a module: the app's table, our ledger, the object store. They do not import each other."""
