"""The project: settings, entry points and the launcher. Imports everything, is imported by nothing."""
