"""What is known of a deployment's tools at the endpoint: the owner's policy, arguments mirrored in headers."""
