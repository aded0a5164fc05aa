"""Clients made of the OpenAPI document: a Postman collection, a file of requests, and programs with generated types."""
