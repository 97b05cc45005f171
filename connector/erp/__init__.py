"""Faces the ERPs: HTTP in, notifications out; knows nothing of Avro or Kafka."""
