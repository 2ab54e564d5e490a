from httpx import AsyncClient

from app import app


async def test_hello():
    async with AsyncClient(app=app, base_url="http://test") as ac:
        response = ac.get("/hello")
    assert response.status_code == 200
    assert response.json() == {"message": "hello"}
