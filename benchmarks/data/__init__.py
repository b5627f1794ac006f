"""What the stages that prepare rows find in dirty data, and how fast they are."""
