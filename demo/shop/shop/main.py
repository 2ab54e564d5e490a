"""The app: its life, its routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse

from shop import prices
from shop.auth import CurrentUser
from shop.store import Product, Store


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.store = Store()
    await app.state.store.add(Product(sku="tea", title="Green tea", price=450))
    await app.state.store.add(Product(sku="pot", title="Tea pot", price=4990))
    yield
    del app.state.store


app = FastAPI(title="Shop", lifespan=lifespan)


async def get_store(request: Request) -> Store:
    return request.app.state.store


OpenStore = Annotated[Store, Depends(get_store)]


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/products")
async def list_products(store: OpenStore) -> list[Product]:
    return await store.products()


@app.get("/products/{sku}")
async def read_product(sku: str, store: OpenStore) -> Product:
    product = await store.find(sku)
    if product is None:
        raise HTTPException(status_code=404, detail="No such product")
    return product


@app.post("/products", status_code=201)
async def create_product(product: Product, store: OpenStore, user: CurrentUser) -> Product:
    if await store.has(product.sku):
        raise HTTPException(status_code=409, detail="There is one already")
    return await store.add(product)


@app.delete("/products/{sku}", status_code=204)
async def delete_product(sku: str, store: OpenStore, user: CurrentUser) -> None:
    await store.remove(sku)


@app.post("/cart/{sku}", status_code=201)
async def put_in_cart(sku: str, store: OpenStore, user: CurrentUser) -> dict[str, int]:
    if not await store.has(sku):
        raise HTTPException(status_code=404, detail="No such product")
    await store.put_in_cart(user, sku)
    return {"items": len(await store.cart(user))}


@app.get("/cart")
async def read_cart(store: OpenStore, user: CurrentUser) -> dict[str, int]:
    products = await store.cart(user)
    return {"items": len(products), "total": await prices.total(products)}


@app.get("/export")
async def export(store: OpenStore) -> StreamingResponse:
    async def rows() -> AsyncIterator[str]:
        yield "sku,price\n"
        for product in await store.products():
            yield f"{product.sku},{product.price}\n"

    return StreamingResponse(rows(), media_type="text/csv")
