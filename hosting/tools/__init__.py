"""What tools say of themselves, against what their owner approved."""
