"""A server under many clients, beside an earlier version of itself and beside what others serve with."""
