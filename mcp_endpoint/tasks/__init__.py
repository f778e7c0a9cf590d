"""Tasks as clients see them: one record (`hosting.tasks`), projected for each kind of client."""
