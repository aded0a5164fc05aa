"""All settings, each from the environment; docs/configuration.md lists them with their effect.

Nothing set means production: DEBUG is off and a missing SECRET_KEY refuses to start.
`make run` writes a development `.env`, which is read here when it exists.
"""

import datetime as dt
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import environ
from django.urls import reverse_lazy

from botgpt.api import reference
from botgpt.api.rates import Rate
from botgpt.operations.caches import caches

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = BASE_DIR / "var"

env = environ.Env()
env.read_env(BASE_DIR / ".env")  # the real environment wins over the file

# --- Core -------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "botgpt.urls"
WSGI_APPLICATION = "botgpt.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "botgpt.formats"
TIME_ZONE = "UTC"
USE_TZ = True

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "botgpt.operations.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework_simplejwt.token_blacklist",
    "oauth2_provider",
    "axes",
    "botgpt.accounts",
    "botgpt.operations",
    "botgpt.chat",
    "documents",
    "llm",
    "conversations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "botgpt.operations.policies.PoliciesMiddleware",
    "botgpt.operations.middleware.RequestIdMiddleware",  # static files need no id and no log line
    "botgpt.api.throttles.LimitsMiddleware",
    "botgpt.operations.probes.ProbesMiddleware",
    "botgpt.api.limits.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "botgpt" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The default looks into cookies first, and makes a signer for that in every request.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Accounts ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# A username is locked for an address after some wrong passwords; other addresses can log in all the while.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES", default=10)
AXES_COOLOFF_TIME = dt.timedelta(minutes=env.int("LOGIN_LOCK_MINUTES", default=15))
AXES_ENABLED = AXES_FAILURE_LIMIT > 0
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever keeps trying would lock the owner out for ever
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "botgpt.accounts.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "botgpt.api.throttles.account_locked"
LOGIN_URL = reverse_lazy("login")
LOGIN_REDIRECT_URL = reverse_lazy("chat")
# The user that a local call without credentials acts as; empty switches the rule off.
ANONYMOUS_USER = env.str("ANONYMOUS_USER", default="demo" if DEBUG else "")
SIMPLE_JWT = {
    # A key of its own, so that nothing else that is signed with the secret can pass for a token.
    "SIGNING_KEY": hashlib.sha256(b"botgpt.accounts.tokens" + SECRET_KEY.encode()).hexdigest(),
    "ACCESS_TOKEN_LIFETIME": dt.timedelta(minutes=env.int("TOKEN_ACCESS_MINUTES", default=15)),
    "REFRESH_TOKEN_LIFETIME": dt.timedelta(days=env.int("TOKEN_REFRESH_DAYS", default=14)),
    "CHECK_REVOKE_TOKEN": True,  # a new password makes every token void
}
OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Read your conversations and documents", "write": "Create, change and delete them"},
    "DEFAULT_SCOPES": ["read"],
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3_600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 14 * 86_400,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,  # a token that is used twice was stolen: its whole family ends
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"] if DEBUG else ["https"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "client_credentials", "refresh_token"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "APPLICATION_ADMIN_CLASS": "botgpt.accounts.oauth_admin.ApplicationAdmin",
    # The best current practice of RFC 9700; the library's version 4 has it by default.
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            *("IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "PKCE_REQUIRED", "ACCESS_TOKEN_TRANSPORT"),
            *("AUTHZ_RESPONSE_ISS", "TOKEN_STORAGE", "REFRESH_TOKEN", "REDIRECT_URI_SCHEME", "REDIRECT_URI_MATCHING"),
        )
    },
}

# --- Database ---------------------------------------------------------------------------------
if env.str("DATABASE_URL", default=""):
    DATABASES: dict[str, dict[str, Any]] = {"default": env.db("DATABASE_URL")}
else:
    DATA_DIR.mkdir(exist_ok=True)
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "botgpt.sqlite3"}}
if env.str("DATABASE_REPLICA_URL", default=""):
    DATABASES["replica"] = env.db("DATABASE_REPLICA_URL") | {"TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["botgpt.operations.replica.ReplicaRouter"]
    MIDDLEWARE.append("botgpt.operations.replica.ReplicaMiddleware")
for database in DATABASES.values():
    # A turn gives its connection back while it waits for the model, so a few serve many threads.
    database["CONN_MAX_AGE"] = 0
    pool_size = env.int("DATABASE_POOL_SIZE", default=16)
    if database["ENGINE"].endswith("sqlite3"):
        database["ENGINE"] = "botgpt.operations.sqlite3"  # Django's own, with a pool, and whose writers queue
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "pool_size": pool_size,
            # A transaction takes the write lock when it begins, so it waits instead of failing half way.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; "
                f"PRAGMA synchronous={env.str('SQLITE_SYNCHRONOUS', default='FULL')}; "
                "PRAGMA temp_store=MEMORY; "
                "PRAGMA cache_size=-256"  # KiB a thread; its own 2 MiB would be 250 for all, and the system caches too
            ),
        }
    elif database["ENGINE"].endswith("postgresql"):
        # A server that was restarted leaves dead connections in the pool; each would cost a request its answer.
        database["CONN_HEALTH_CHECKS"] = True
        database["DISABLE_SERVER_SIDE_CURSORS"] = True  # they would outlive a transaction behind PgBouncer
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}
        }

# --- Cache ------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="")
CACHES = caches(REDIS_URL)
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True
DJANGO_REDIS_LOGGER = "botgpt.cache"

# --- Worker -----------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="")
CELERY_TASK_IGNORE_RESULT = True  # what came of it is in the row that it is about
# A worker that dies in the middle gives the job back; every task can be done twice.
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Documents keep a core busy and turns wait: they can have workers of their own. One that names no queue takes both.
CELERY_TASK_DEFAULT_QUEUE = "documents"
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"documents": {}, "turns": {}}
CELERY_TASK_ROUTES = {"conversations.tasks.*": {"queue": "turns"}}
CELERY_BEAT_SCHEDULE = {"tidy": {"task": "botgpt.operations.tasks.tidy", "schedule": dt.timedelta(hours=1)}}
PURGE_AFTER_DAYS = env.int("PURGE_AFTER_DAYS", default=0)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a long document keeps no others waiting
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2}
if CELERY_BROKER_URL.startswith("redis"):
    # After this Redis gives a job of a worker that is gone to another. No document and no turn takes as long.
    CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"] = env.int("CELERY_VISIBILITY_SECONDS", default=900)

WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)

# --- Files ------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "botgpt" / "static"]
WHITENOISE_USE_FINDERS = DEBUG
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(DATA_DIR / "media"))
S3_BUCKET = env.str("S3_BUCKET", default="")
S3_OPTIONS = {
    "bucket_name": S3_BUCKET,
    "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
    "region_name": env.str("S3_REGION", default="") or None,
    "location": env.str("S3_PREFIX", default=""),
}
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "botgpt.operations.s3.S3Storage", "OPTIONS": S3_OPTIONS}
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "botgpt.operations.static.StaticFiles"
    },
}

# --- REST API ---------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "botgpt.accounts.authentication.ApiKeyAuthentication",
        "botgpt.accounts.authentication.WebTokenAuthentication",
        "botgpt.accounts.authentication.OAuthAuthentication",
        "botgpt.accounts.authentication.SessionAuthentication",
        "botgpt.accounts.authentication.AnonymousUserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "botgpt.accounts.permissions.HasScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["botgpt.api.throttles.CallLimits"],
    "DEFAULT_RENDERER_CLASSES": ["botgpt.api.renderers.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["botgpt.api.parsers.OrjsonParser"],
    "DEFAULT_FILTER_BACKENDS": [
        "botgpt.api.filters.OwnedByCaller",
        "botgpt.api.filters.GivenFilters",
    ],
    "DEFAULT_PAGINATION_CLASS": "botgpt.api.pagination.NamedPagination",
    "DEFAULT_SCHEMA_CLASS": "botgpt.api.schema.ContractSchema",
    "EXCEPTION_HANDLER": "botgpt.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
}

# How many calls a user may make, all their credentials together; those without a user by address. Empty: no limit.
LIMITS = {
    "reads": Rate.parse(env.str("LIMIT_READS", default="" if DEBUG else "600/minute")),
    "turns": Rate.parse(env.str("LIMIT_TURNS", default="" if DEBUG else "60/minute")),
    "uploads": Rate.parse(env.str("LIMIT_UPLOADS", default="" if DEBUG else "60/minute")),
    "anonymous": Rate.parse(env.str("LIMIT_ANONYMOUS", default="" if DEBUG else "120/minute")),
    "logins": Rate.parse(env.str("LIMIT_LOGINS", default="" if DEBUG else "30/minute")),
}
LIMITS_FILE = env.path("LIMITS_FILE", default=str(DATA_DIR / "limits.sqlite3"))

SPECTACULAR_SETTINGS = {
    "TITLE": "BOT GPT",
    "DESCRIPTION": reference.INTRODUCTION,
    "TAGS": reference.TAGS,
    "APPEND_COMPONENTS": {"examples": reference.ERROR_EXAMPLES},
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_SUFFIX": "",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "DocumentStatus": "documents.models.Document.Status",
        "MessageStatus": "conversations.models.Message.Status",
        "MessageRole": "conversations.models.Message.Role",
        "KeyScope": "botgpt.accounts.models.ApiKey.Scope",
        "KeyState": ["active", "expired", "revoked"],
        "CreatedEventName": ["message.created"],
        "DeltaEventName": ["message.delta"],
        "RestartedEventName": ["message.restarted"],
        "CitationEventName": ["message.citation"],
        "EndedEventName": ["message.completed", "message.failed", "message.cancelled"],
        "BudgetScope": ["day_tokens", "month_tokens", "day_cost", "month_cost"],
    },
    "DISABLE_ERRORS_AND_WARNINGS": False,
}

# --- Documents --------------------------------------------------------------------------------
MAX_UPLOAD_BYTES = env.int("MAX_UPLOAD_BYTES", default=20 * 2**20)
MAX_DOCUMENT_PAGES = env.int("MAX_DOCUMENT_PAGES", default=2_000)
MAX_DOCUMENT_CHARS = env.int("MAX_DOCUMENT_CHARS", default=10_000_000)
MAX_UNPACKED_BYTES = env.int("MAX_UNPACKED_BYTES", default=200 * 2**20)
EXTRACTION_SECONDS = env.int("EXTRACTION_SECONDS", default=30)
EXTRACTION_MEMORY_BYTES = env.int("EXTRACTION_MEMORY_BYTES", default=2**30)
EMBEDDINGS = env.str("EMBEDDINGS", default="wordllama")
EMBEDDINGS_BASE_URL = env.str("EMBEDDINGS_BASE_URL", default="https://api.openai.com/v1")
EMBEDDINGS_API_KEY = env.str("EMBEDDINGS_API_KEY", default="")
EMBEDDINGS_DIMENSIONS = env.int("EMBEDDINGS_DIMENSIONS", default=0)
EMBEDDINGS_BATCH_SIZE = env.int("EMBEDDINGS_BATCH_SIZE", default=32)
EMBEDDINGS_TEXT_BYTES = env.int("EMBEDDINGS_TEXT_BYTES", default=8_000)
EMBEDDINGS_SECONDS = env.float("EMBEDDINGS_SECONDS", default=60.0)
EMBEDDINGS_QUESTION_SECONDS = env.float("EMBEDDINGS_QUESTION_SECONDS", default=5.0)
EMBEDDINGS_MODEL = env.str("EMBEDDINGS_MODEL", default="BAAI/bge-small-en-v1.5")
EMBEDDINGS_MODEL_PATH = env.str("EMBEDDINGS_MODEL_PATH", default="")
EMBEDDINGS_RELEVANT_COSINE = env.float("EMBEDDINGS_RELEVANT_COSINE", default=0.35)
# A JSON body may hold a document's text; escapes can make it longer than the text itself.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BYTES * 2

# --- Language models --------------------------------------------------------------------------
GROQ_API_KEY = env.str("GROQ_API_KEY", default="")
GROQ_BASE_URL = env.str("GROQ_BASE_URL", default="https://api.groq.com")
LLM_CHAIN = env.list("LLM_CHAIN", default=["groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b"])
# Providers besides Groq that the chain names; each speaks OpenAI's format at <NAME>_BASE_URL.
COMPATIBLE_URLS = {"openai": "https://api.openai.com/v1", "ollama": "http://127.0.0.1:11434/v1"}
LLM_PROVIDERS = {
    name: {
        "base_url": (url := env.str(f"{name.upper()}_BASE_URL", default=COMPATIBLE_URLS.get(name, ""))),
        "api_key": env.str(f"{name.upper()}_API_KEY", default=""),
        "needs_key": url == COMPATIBLE_URLS["openai"],
    }
    for name in {entry.strip().partition("/")[0] for entry in LLM_CHAIN} - {"groq", "offline", ""}
}
STREAM_PING_SECONDS = env.float("STREAM_PING_SECONDS", default=15.0)
WEB_THREADS = env.int("WEB_THREADS", default=128)
# Of a worker's threads, how many compute at once. Those that wait for a server of a database do not say so.
WEB_PARALLELISM = env.int(
    "WEB_PARALLELISM", default=1 if DATABASES["default"]["ENGINE"] == "botgpt.operations.sqlite3" else 4
)
# A sixteenth of the threads is left to requests that wait for no model.
MAX_TURNS_IN_FLIGHT = env.int("MAX_TURNS_IN_FLIGHT", default=max(1, WEB_THREADS - max(1, WEB_THREADS // 16)))
LLM_SKIP_AFTER = env.int("LLM_SKIP_AFTER", default=3)
LLM_SKIP_SECONDS = env.float("LLM_SKIP_SECONDS", default=30.0)
LLM_TURN_SECONDS = env.float("LLM_TURN_SECONDS", default=60.0)
TURN_QUEUE_SECONDS = env.int("TURN_QUEUE_SECONDS", default=900)
LLM_CALL_SECONDS = env.float("LLM_CALL_SECONDS", default=30.0)
LLM_MAX_ATTEMPTS = env.int("LLM_MAX_ATTEMPTS", default=3)
LLM_BACKOFF_SECONDS = env.float("LLM_BACKOFF_SECONDS", default=1.0)
LLM_MAX_CONNECTIONS = env.int("LLM_MAX_CONNECTIONS", default=256)
LLM_TEMPERATURE = env.float("LLM_TEMPERATURE", default=0.3)
LLM_REWRITE_QUESTIONS = env.bool("LLM_REWRITE_QUESTIONS", default=False)
LLM_REASONING_EFFORT = env.str("LLM_REASONING_EFFORT", default="low")
SUMMARIZE_HISTORY = env.bool("SUMMARIZE_HISTORY", default=True)
SUMMARY_TOKENS = env.int("SUMMARY_TOKENS", default=500)
RESPONSE_CACHE = env.str("RESPONSE_CACHE", default="off")
RESPONSE_CACHE_SECONDS = env.int("RESPONSE_CACHE_SECONDS", default=3_600)
RESPONSE_CACHE_SIMILARITY = env.float("RESPONSE_CACHE_SIMILARITY", default=0.9)
MAX_CONTEXT_TOKENS = env.int("MAX_CONTEXT_TOKENS", default=6_000)
MAX_COMPLETION_TOKENS = env.int("MAX_COMPLETION_TOKENS", default=2_000)
MAX_MESSAGE_CHARS = env.int("MAX_MESSAGE_CHARS", default=32_000)
LLM_BUDGET_DAY_TOKENS = env.int("LLM_BUDGET_DAY_TOKENS", default=None)
LLM_BUDGET_MONTH_TOKENS = env.int("LLM_BUDGET_MONTH_TOKENS", default=None)
LLM_BUDGET_DAY_COST = env.get_value("LLM_BUDGET_DAY_COST", cast=Decimal, default=None)
LLM_BUDGET_MONTH_COST = env.get_value("LLM_BUDGET_MONTH_COST", cast=Decimal, default=None)
SYSTEM_PROMPT = env.str("SYSTEM_PROMPT", default="")
FALLBACK_REPLY = env.str(
    "FALLBACK_REPLY",
    default="Sorry, no language model could be reached, so this question has no answer yet. It is kept; try again.",
)

# --- Security ---------------------------------------------------------------------------------
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"  # the content policies stand in botgpt/operations/policies.py
CSRF_FAILURE_VIEW = "botgpt.api.errors.csrf_failure"
HTTPS = env.bool("HTTPS", default=not DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health(/ready)?$", r"^metrics$"]  # asked for in plain HTTP inside the cluster
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
PROXY_COUNT = env.int("PROXY_COUNT", default=1)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Logs -------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"default": {"()": "botgpt.operations.logs.make_formatter", "style_name": LOG_FORMAT}},
    "filters": {"once_per_outage": {"()": "botgpt.operations.caches.OncePerOutage"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "default"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "axes": {"level": "WARNING"},
        "botgpt.cache": {"filters": ["once_per_outage"]},
        "httpx": {"level": "WARNING"},
        "groq": {"level": "INFO"},  # at DEBUG it logs what users wrote
        "django.request": {"level": "ERROR"},  # our own line for each request says the same, with its id
    },
}

# --- Metrics, traces, errors ------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")

# --- Admin ------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "BOT GPT",
    "SITE_HEADER": "BOT GPT",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "botgpt.operations.admin_site.icon"}],
    "SITE_URL": reverse_lazy("chat"),
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "botgpt.operations.admin_site.environment",
    "DASHBOARD_CALLBACK": "botgpt.dashboard.page.context",
    "STYLES": ["botgpt.operations.admin_site.stylesheet"],
    "SIDEBAR": {
        "show_search": False,
        "navigation": "botgpt.operations.admin_site.navigation",
    },
}
