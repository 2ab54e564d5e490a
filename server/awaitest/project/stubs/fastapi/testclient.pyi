"""fastapi.testclient: starlette's client under another name."""

from starlette.testclient import TestClient as TestClient
