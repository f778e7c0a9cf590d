"""What lies on the disk: uploaded sources, environments, data folders; and what nobody needs any more."""
