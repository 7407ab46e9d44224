"""How broadcast pictures vary: colour, blur, compression. RGB uint8 in and out, same shape."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def recolour(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Random hue, saturation, brightness and contrast; now and then grey."""
    if rng.random() < 0.05:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if rng.random() < 0.8:
        hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
        shift = int(rng.integers(-12, 13)) if rng.random() < 0.8 else int(rng.integers(0, 180))
        lookup = ((np.arange(256) + shift) % 180).astype(np.uint8)
        strength = np.clip(np.arange(256) * rng.uniform(0.5, 1.5), 0, 255).astype(np.uint8)
        hsv[:, :, 0] = lookup[hsv[:, :, 0]]
        hsv[:, :, 1] = strength[hsv[:, :, 1]]
        pixels = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)
    gain, offset, gamma = rng.uniform(0.7, 1.35), rng.uniform(-30, 30), np.exp(rng.uniform(-0.3, 0.3))
    curve = 255 * np.clip((np.arange(256) / 255.0) ** gamma * gain + offset / 255, 0, 1)
    return np.asarray(cv2.LUT(pixels, curve.astype(np.uint8)), np.uint8)


def degrade(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Random motion blur, defocus, loss of resolution, noise and JPEG compression."""
    draw = rng.random()
    if draw < 0.2:
        pixels = motion_blur(pixels, rng.uniform(1, 9), rng.uniform(0, np.pi))
    elif draw < 0.3:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.6)), np.uint8)
    elif draw < 0.45:
        height, width = pixels.shape[:2]
        shrink = rng.uniform(0.4, 0.9)
        small = cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(
            cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
        )
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 10), pixels.shape).astype(np.float32)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = int(rng.integers(25, 90))
        _, packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def motion_blur(pixels: Picture, length: float, angle: float) -> Picture:
    """Blur along a line of `length` pixels at `angle` radians."""
    reach = int(np.ceil(length / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for offset in np.linspace(-length / 2, length / 2, 4 * reach + 1):
        column = round(reach + offset * np.cos(angle))
        row = round(reach + offset * np.sin(angle))
        kernel[row, column] += 1
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), dtype=np.uint8)
