"""HTTP and the other triggers: routes, callers, errors, pages, and the wrappers around every function."""
