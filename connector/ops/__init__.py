"""Faces operators: metrics, probes, status and logs; decides nothing about delivery."""
