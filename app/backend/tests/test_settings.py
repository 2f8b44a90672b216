import pytest

from todo_backend.environment import SettingError
from todo_backend.settings import read_settings

GOOD = {"DATABASE_URL": "postgresql://somewhere/todo", "AUTH_SECRET": "s" * 32}


def test_the_defaults_are_those_of_the_cluster():
    settings = read_settings(GOOD)
    assert settings.agent_url == "http://ai-agent-service:8002"
    assert settings.cors_origins == ()
    assert settings.pool_size == 5


def test_a_secret_can_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("f" * 40 + "\n")
    settings = read_settings({**GOOD, "AUTH_SECRET_FILE": str(tmp_path / "secret")})
    assert settings.auth_secret == "f" * 40


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"AUTH_SECRET": "short"}, "AUTH_SECRET is too short"),
        ({"AUTH_SECRET_FILE": "/nowhere"}, "AUTH_SECRET_FILE names /nowhere"),
        ({"DATABASE_POOL_SIZE": "many"}, "DATABASE_POOL_SIZE is 'many'"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE is '0'"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(changed, name):
    with pytest.raises(SettingError, match=name):
        read_settings({**GOOD, **changed})
