"""What every endpoint shares: errors, pagination, filters, renderers, limits and the OpenAPI document."""
