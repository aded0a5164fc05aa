"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")

from botgpt.operations import telemetry

telemetry.start()  # tracing adds a middleware, so it comes before Django reads them
application = get_wsgi_application()
