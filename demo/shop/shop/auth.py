"""Who is asking."""

from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

bearer = HTTPBearer(auto_error=False)

TOKENS = {"token-of-ada": "ada", "token-of-bob": "bob"}


async def current_user(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    user = TOKENS.get(credentials.credentials) if credentials else None
    if user is None:
        raise HTTPException(status_code=401, detail="Who are you?")
    return user


CurrentUser = Annotated[str, Depends(current_user)]
