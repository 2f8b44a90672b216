"""Sign-up, sign-in, and who is asking."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import jwt
import psycopg.errors
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, HTTPException, Request, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, field_validator

TOKEN_LIFE = timedelta(hours=12)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")

# 19 MiB and two passes, the least that OWASP advises for Argon2id: a pod with a small memory limit
# can do two of these at once, which the semaphore makes sure of.
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
hashing = asyncio.Semaphore(2)
# Checked when the account does not exist, so that the answer takes as long as for a real one.
NOBODY = hasher.hash("nobody has this password")

router = APIRouter(prefix="/api/auth", tags=["auth"])
bearer = HTTPBearer(auto_error=False)


class Credentials(BaseModel):
    email: str = Field(max_length=254)
    password: str = Field(min_length=8, max_length=128)

    @field_validator("email")
    @classmethod
    def normalise(cls, value: str) -> str:
        email = value.strip().lower()
        if not EMAIL.fullmatch(email):
            raise ValueError("is not an e-mail address, such as ada@example.org")
        return email


@router.post("/sign-up", status_code=status.HTTP_201_CREATED)
async def sign_up(credentials: Credentials, request: Request) -> dict[str, Any]:
    async with hashing:
        password_hash = await asyncio.to_thread(hasher.hash, credentials.password)
    try:
        async with request.app.state.pool.connection() as connection:
            cursor = await connection.execute(
                "INSERT INTO users (email, password_hash) VALUES (%s, %s) RETURNING id, email",
                (credentials.email, password_hash),
            )
            user = await cursor.fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise HTTPException(409, "There is an account with this e-mail; sign in.") from error
    return answer_with_token(user, request.app.state.settings.auth_secret)


@router.post("/sign-in")
async def sign_in(credentials: Credentials, request: Request) -> dict[str, Any]:
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT id, email, password_hash FROM users WHERE email = %s", (credentials.email,)
        )
        user = await cursor.fetchone()
    known_hash = user["password_hash"] if user else NOBODY
    async with hashing:
        matches = await asyncio.to_thread(is_password, known_hash, credentials.password)
    if user is None or not matches:
        raise HTTPException(401, "The e-mail or the password is not right.")
    return answer_with_token(user, request.app.state.settings.auth_secret)


def is_password(password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def answer_with_token(user: dict[str, Any], secret: str) -> dict[str, Any]:
    person = {"id": str(user["id"]), "email": user["email"]}
    return {"token": sign_token(person, secret), "user": person}


def sign_token(person: dict[str, str], secret: str) -> str:
    now = datetime.now(UTC)
    claims = {"sub": person["id"], "email": person["email"], "iat": now, "exp": now + TOKEN_LIFE}
    return jwt.encode(claims, secret, algorithm="HS256")


async def require_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> UUID:
    """Returns the id of the user whose token came with the request; 401 without a good one."""
    refusal = {"WWW-Authenticate": "Bearer"}
    if credentials is None:
        raise HTTPException(401, "Sign in first: the request has no bearer token.", refusal)
    try:
        claims = jwt.decode(
            credentials.credentials,
            request.app.state.settings.auth_secret,
            algorithms=["HS256"],
            options={"require": ["sub", "exp"]},
        )
        return UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError) as error:
        raise HTTPException(401, "The token is not valid or has expired; sign in.", refusal) from error


CurrentUser = Annotated[UUID, Depends(require_user)]
