#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The pixels as a PNG, JPEG or BMP file's content (stb_image_write); channels: 1 grey, 2 grey and transparency, 3
/// colour, 4 colour and transparency.
std::string png_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels);
std::string bmp_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels);
std::string jpeg_of(const std::vector<std::uint8_t>& pixels, int width, int height, int channels);
