// String helpers of the chat template engine, with the meaning that JavaScript gives them (the reference renderer is
// @huggingface/jinja). Strings are UTF-8 here and UTF-16 there: lengths count UTF-16 units, slices count code points. Malformed
// UTF-8 is tolerated (each stray byte counts as one character). Pure functions, linear time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teetee::model::jinja {

bool IsValidUtf8(std::string_view text);
void AppendUtf8(std::string& out, uint32_t code_point);  // a lone surrogate becomes U+FFFD
// The number of bytes of the character that starts at position, at least 1. REQUIRES position < text.size().
size_t CharacterSize(std::string_view text, size_t position);
size_t Utf16Length(std::string_view text);
std::vector<std::string_view> Characters(std::string_view text);  // one view per code point
// What JavaScript's at() gives once it is written as UTF-8: half of a surrogate pair is U+FFFD. Empty when out of range.
std::string Utf16At(std::string_view text, int64_t index);
bool Utf16Less(std::string_view a, std::string_view b);  // JavaScript's order of strings

// The bytes of the white space character at position, 0 if there is none (JavaScript's \s).
size_t SpaceSize(std::string_view text, size_t position);
std::string_view TrimStart(std::string_view text);
std::string_view TrimEnd(std::string_view text);

// ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic; other letters stay as they are.
std::string Upper(std::string_view text);
std::string Lower(std::string_view text);
std::string Title(std::string_view text);  // ASCII words
std::string Capitalize(std::string_view text);

// The position of needle at or after from, npos if none. Linear also for hostile input (two-way search).
size_t Find(std::string_view text, std::string_view needle, size_t from = 0);

std::string NumberText(double value);  // Number.prototype.toString
std::string FloatText(double value);   // the same, but 1 prints as 1.0
bool ParseInteger(std::string_view text, int64_t& out);  // parseInt(text, 10): a prefix counts
bool ParseFloat(std::string_view text, double& out);     // parseFloat: a prefix counts
double ToNumber(std::string_view text);                  // Number(text): NaN unless all of it is a decimal number

void AppendJsonString(std::string& out, std::string_view text, bool ascii_only);

// %Y %m %d %b %B %H %M %% of a UTC time, English names; other directives stay as written. REQUIRES 0 <= unix_seconds < 2^37.
std::string FormatTime(int64_t unix_seconds, std::string_view format);

}  // namespace teetee::model::jinja
