import numpy as np

from stages.partworld import textures


def test_the_bank_is_constant_and_within_bounds() -> None:
    bank = textures.texture_bank()
    textures.texture_bank.cache_clear()
    np.testing.assert_array_equal(bank, textures.texture_bank())
    assert bank.shape[1:] == (textures.FIELD_SIDE, textures.FIELD_SIDE)
    assert bank.min() >= 0
    assert bank.max() <= 1


def test_materials_are_muted_and_shades_differ_visibly() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        material = textures.draw_material(rng)
        assert np.abs(material.contrast).max() <= 60
        shade = textures.shade(rng, material)
        assert abs(float(shade.base.mean() - material.base.mean())) > 5
        assert shade.field == material.field


def test_background_is_float_in_grey_levels() -> None:
    picture = textures.background(np.random.default_rng(1), 64)
    assert picture.shape == (64, 64, 3)
    assert -30 < picture.min() < picture.max() < 290
