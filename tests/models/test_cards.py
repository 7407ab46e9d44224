import pytest

from filmroom import models
from filmroom.errors import InputError

LIMITS = {"ball": 1.0, "detector": 4.0, "embedding": 2.0, "numbers": 2.0, "segmenter": 2.0}


def test_four_networks_ship():
    assert models.shipped() == sorted(LIMITS)


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_card_tells_the_truth_about_its_file(name):
    card = models.card(name)
    path = models.model_file(name)
    assert card["name"] == name
    assert card["sha256"] == models.checksum(path)
    assert card["licence"] and card["accuracy"] and card["task"]
    assert path.stat().st_size < LIMITS[name] * 1e6


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_network_is_plain_int8_onnx_that_loads(name):
    session = models.load(name)
    assert len(session.get_inputs()) == 1
    assert b"QuantizeLinear" in models.model_file(name).read_bytes()


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(InputError, match="detector"):
        models.load("oracle")


def test_a_users_own_network_takes_the_place_of_the_shipped_one(tmp_path):
    assert models.model_file("detector", tmp_path) == models.model_file("detector")
    (tmp_path / "detector.onnx").write_bytes(b"damaged")
    assert models.model_file("detector", tmp_path) == tmp_path / "detector.onnx"
    with pytest.raises(InputError, match="not a network"):
        models.load("detector", parts=tmp_path)
