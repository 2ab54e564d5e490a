"""Products and carts, kept in memory behind an asynchronous interface."""

import asyncio

from pydantic import BaseModel


class Product(BaseModel):
    sku: str
    title: str
    price: int
    """In cents."""


class Store:
    def __init__(self) -> None:
        self._products: dict[str, Product] = {}
        self._carts: dict[str, list[str]] = {}
        self.changed = asyncio.Event()

    async def add(self, product: Product) -> Product:
        self._products[product.sku] = product
        self.changed.set()
        return product

    async def has(self, sku: str) -> bool:
        return sku in self._products

    async def find(self, sku: str) -> Product | None:
        return self._products.get(sku)

    async def remove(self, sku: str) -> None:
        self._products.pop(sku, None)

    async def products(self) -> list[Product]:
        return list(self._products.values())

    async def put_in_cart(self, user: str, sku: str) -> None:
        self._carts.setdefault(user, []).append(sku)

    async def cart(self, user: str) -> list[Product]:
        return [self._products[sku] for sku in self._carts.get(user, [])]
