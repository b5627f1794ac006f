"""The machine that stages run on: process, device, memory, disk, and the lines that tell of progress."""
