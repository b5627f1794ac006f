"""What RLHF on people's opinions brings, judged by a model that it was not optimised for."""
