"""Faces Kafka: records in, transactions out; knows nothing of HTTP or JSON."""
