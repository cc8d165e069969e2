def test_weather():
    assert 1 + 1 == 2
