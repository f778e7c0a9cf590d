"""From a reference to a version that may be called; and back to an earlier one."""
