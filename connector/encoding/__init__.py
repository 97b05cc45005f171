"""Faces Avro: notifications in, encoded records out; does no input or output after start."""
