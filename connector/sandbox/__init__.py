"""The ERPs and a broker to play with, faults included: the demo, the tests and users build against it."""
