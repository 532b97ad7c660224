"""Where pictures come from: folders, arrays, data sets, and built-in ones."""
