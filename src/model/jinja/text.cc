#include "model/jinja/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/json.h"

namespace teetee::model::jinja {
namespace {

// The bytes of a well-formed sequence at position, 0 if it is malformed (Unicode table 3-7).
size_t WellFormedSize(std::string_view text, size_t position) {
  auto at = [&](size_t i) -> unsigned {
    return position + i < text.size() ? static_cast<uint8_t>(text[position + i]) : 0u;
  };
  auto tail = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
    return at(1) >= low && at(1) <= high && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
    return at(1) >= low && at(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

uint32_t Decode(std::string_view c) {
  auto b = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(c[i])); };
  switch (c.size()) {
    case 2: return (b(0) & 31) << 6 | (b(1) & 63);
    case 3: return (b(0) & 15) << 12 | (b(1) & 63) << 6 | (b(2) & 63);
    case 4: return (b(0) & 7) << 18 | (b(1) & 63) << 12 | (b(2) & 63) << 6 | (b(3) & 63);
    default: return b(0);
  }
}

bool InRange(uint32_t c, uint32_t low, uint32_t high) { return c >= low && c <= high; }

// Blocks in which capital and small letter alternate; true when the capital has the even number.
bool PairsEvenFirst(uint32_t c) {
  return InRange(c, 0x100, 0x12F) || InRange(c, 0x132, 0x137) || InRange(c, 0x14A, 0x177) ||
         InRange(c, 0x460, 0x481);
}
bool PairsOddFirst(uint32_t c) { return InRange(c, 0x139, 0x148) || InRange(c, 0x179, 0x17E); }

uint32_t UpperCodePoint(uint32_t c) {
  if (InRange(c, 'a', 'z')) return c - 32;
  if (InRange(c, 0xE0, 0xFE) && c != 0xF7) return c - 32;
  if (c == 0xFF) return 0x178;
  if (c == 0xB5) return 0x39C;
  if (PairsEvenFirst(c)) return c & ~1u;
  if (PairsOddFirst(c)) return c % 2 == 0 ? c - 1 : c;
  if (c == 0x131) return 'I';
  if (c == 0x3C2) return 0x3A3;
  if (InRange(c, 0x3B1, 0x3CB)) return c - 32;
  if (c == 0x3AC) return 0x386;
  if (InRange(c, 0x3AD, 0x3AF)) return c - 37;
  if (c == 0x3CC) return 0x38C;
  if (InRange(c, 0x3CD, 0x3CE)) return c - 63;
  if (InRange(c, 0x430, 0x44F)) return c - 32;
  if (InRange(c, 0x450, 0x45F)) return c - 80;
  return c;
}

uint32_t LowerCodePoint(uint32_t c) {
  if (InRange(c, 'A', 'Z')) return c + 32;
  if (InRange(c, 0xC0, 0xDE) && c != 0xD7) return c + 32;
  if (c == 0x178) return 0xFF;
  if (PairsEvenFirst(c)) return c | 1u;
  if (PairsOddFirst(c)) return c % 2 == 1 ? c + 1 : c;
  if (InRange(c, 0x391, 0x3AB) && c != 0x3A2) return c + 32;
  if (c == 0x386) return 0x3AC;
  if (InRange(c, 0x388, 0x38A)) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (InRange(c, 0x38E, 0x38F)) return c + 63;
  if (InRange(c, 0x410, 0x42F)) return c + 32;
  if (InRange(c, 0x400, 0x40F)) return c + 80;
  return c;
}

template <class Map>
std::string MapCase(std::string_view text, Map map, bool upper) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t size = WellFormedSize(text, i);
    if (size == 0 || size > 2) {
      out.append(text.substr(i, std::max<size_t>(size, 1)));
    } else if (uint32_t c = Decode(text.substr(i, size)); upper && c == 0xDF) {
      out += "SS";
    } else {
      AppendUtf8(out, map(c));
    }
    i += std::max<size_t>(size, 1);
  }
  return out;
}

bool IsWordByte(char c) {
  return InRange(static_cast<uint8_t>(c), 'a', 'z') || InRange(static_cast<uint8_t>(c), 'A', 'Z') ||
         InRange(static_cast<uint8_t>(c), '0', '9') || c == '_';
}

std::string_view AfterSpaces(std::string_view text) { return TrimStart(text); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The length of the decimal number at the start of text: digits, fraction, exponent. 0 if there is none.
size_t DecimalPrefix(std::string_view text) {
  size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  size_t digits = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) ++digits;
  if (i < text.size() && text[i] == '.') {
    size_t before = i++;
    for (; i < text.size() && IsDigit(text[i]); ++i) ++digits;
    if (digits == 0) return 0;
    if (i == before) return before;
  }
  if (digits == 0) return 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    size_t j = i + 1;
    if (j < text.size() && (text[j] == '-' || text[j] == '+')) ++j;
    if (j < text.size() && IsDigit(text[j])) {
      while (j < text.size() && IsDigit(text[j])) ++j;
      i = j;
    }
  }
  return i;
}

double FromDecimal(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : std::numeric_limits<double>::quiet_NaN();
}

void AppendUnicodeEscape(std::string& out, uint32_t unit) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 15];
}

std::string TwoDigits(unsigned value) {
  return {static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
}

constexpr std::array<const char*, 12> kMonths = {"January", "February", "March",     "April",
                                                 "May",     "June",     "July",      "August",
                                                 "September", "October", "November", "December"};

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    size_t size = WellFormedSize(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

void AppendUtf8(std::string& out, uint32_t c) {
  if (InRange(c, 0xD800, 0xDFFF) || c > 0x10FFFF) c = 0xFFFD;
  auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 63));
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  }
}

size_t CharacterSize(std::string_view text, size_t position) {
  return std::max<size_t>(WellFormedSize(text, position), 1);
}

size_t Utf16Length(std::string_view text) {
  size_t units = 0;
  for (size_t i = 0; i < text.size();) {
    size_t size = CharacterSize(text, i);
    units += size == 4 ? 2 : 1;
    i += size;
  }
  return units;
}

std::vector<std::string_view> Characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t i = 0; i < text.size();) {
    size_t size = CharacterSize(text, i);
    out.push_back(text.substr(i, size));
    i += size;
  }
  return out;
}

std::string Utf16At(std::string_view text, int64_t index) {
  int64_t length = static_cast<int64_t>(Utf16Length(text));
  if (index < 0) index += length;
  if (index < 0 || index >= length) return {};
  int64_t unit = 0;
  for (size_t i = 0; i < text.size();) {
    size_t size = CharacterSize(text, i);
    int64_t units = size == 4 ? 2 : 1;
    if (index < unit + units) return units == 2 ? "\xEF\xBF\xBD" : std::string(text.substr(i, size));
    unit += units;
    i += size;
  }
  return {};
}

bool Utf16Less(std::string_view a, std::string_view b) {
  auto [i, j] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (i == a.end() || j == b.end()) return i == a.end() && j != b.end();
  uint8_t x = static_cast<uint8_t>(*i), y = static_cast<uint8_t>(*j);
  // Surrogates (four-byte sequences) sort below U+E000..U+FFFF (lead bytes EE and EF).
  bool astral = x >= 0xF0 || y >= 0xF0, high = InRange(x, 0xEE, 0xEF) || InRange(y, 0xEE, 0xEF);
  return astral && high ? x > y : x < y;
}

size_t SpaceSize(std::string_view text, size_t position) {
  uint8_t c = static_cast<uint8_t>(text[position]);
  if (c == ' ' || InRange(c, 9, 13)) return 1;
  if (c < 0x80) return 0;
  size_t size = WellFormedSize(text, position);
  if (size == 0) return 0;
  uint32_t p = Decode(text.substr(position, size));
  bool space = p == 0xA0 || p == 0x1680 || InRange(p, 0x2000, 0x200A) || p == 0x2028 ||
               p == 0x2029 || p == 0x202F || p == 0x205F || p == 0x3000 || p == 0xFEFF;
  return space ? size : 0;
}

std::string_view TrimStart(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    size_t size = SpaceSize(text, i);
    if (size == 0) break;
    i += size;
  }
  return text.substr(i);
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (text[start] & 0xC0) == 0x80) --start;
    size_t size = SpaceSize(text, start);
    if (size == 0 || start + size != text.size()) break;
    text.remove_suffix(size);
  }
  return text;
}

std::string Upper(std::string_view text) { return MapCase(text, UpperCodePoint, true); }
std::string Lower(std::string_view text) { return MapCase(text, LowerCodePoint, false); }

std::string Title(std::string_view text) {
  std::string out(text);
  bool inside = false;
  for (char& c : out) {
    if (!inside && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    inside = IsWordByte(c);
  }
  return out;
}

std::string Capitalize(std::string_view text) {
  if (text.empty()) return {};
  size_t first = CharacterSize(text, 0);
  return Upper(text.substr(0, first)) + std::string(text.substr(first));
}

size_t Find(std::string_view text, std::string_view needle, size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (needle.empty()) return from;
  const void* hit = memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return hit ? static_cast<size_t>(static_cast<const char*>(hit) - text.data())
             : std::string_view::npos;
}

std::string NumberText(double value) { return Json(value).Dump(); }

std::string FloatText(double value) {
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  if (std::fmod(value, 1) != 0 || std::fabs(value) >= 1e21) return NumberText(value);
  std::array<char, 40> buffer;
  auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                              std::chars_format::fixed, 1);
  return std::string(buffer.data(), result.ptr);
}

bool ParseInteger(std::string_view text, int64_t& out) {
  text = AfterSpaces(text);
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc();
}

bool ParseFloat(std::string_view text, double& out) {
  text = AfterSpaces(text);
  size_t size = DecimalPrefix(text);
  if (size == 0) return false;
  out = FromDecimal(text.substr(0, size));
  return std::isfinite(out);
}

double ToNumber(std::string_view text) {
  text = TrimEnd(TrimStart(text));
  if (text.empty()) return 0;
  if (DecimalPrefix(text) != text.size()) return std::numeric_limits<double>::quiet_NaN();
  return FromDecimal(text);
}

void AppendJsonString(std::string& out, std::string_view text, bool ascii_only) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    size_t size = CharacterSize(text, i);
    char c = text[i];
    if (size > 1 && ascii_only) {
      uint32_t p = Decode(text.substr(i, size));
      if (p >= 0x10000) AppendUnicodeEscape(out, 0xD800 + ((p - 0x10000) >> 10));
      AppendUnicodeEscape(out, p >= 0x10000 ? 0xDC00 + ((p - 0x10000) & 1023) : p);
    } else if (size > 1 || (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\' &&
                            !(ascii_only && static_cast<uint8_t>(c) >= 0x7F))) {
      out.append(text.substr(i, size));
    } else {
      switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default: AppendUnicodeEscape(out, static_cast<uint8_t>(c));
      }
    }
    i += size;
  }
  out += '"';
}

std::string FormatTime(int64_t unix_seconds, std::string_view format) {
  using std::chrono::days;
  auto date = std::chrono::year_month_day(std::chrono::sys_days(days(unix_seconds / 86400)));
  unsigned month = static_cast<unsigned>(date.month()), second = static_cast<unsigned>(unix_seconds % 86400);
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    char directive = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
    switch (directive) {
      case 'Y': out += std::to_string(static_cast<int>(date.year())); break;
      case 'm': out += TwoDigits(month); break;
      case 'd': out += TwoDigits(static_cast<unsigned>(date.day())); break;
      case 'b': out += std::string(kMonths[month - 1]).substr(0, 3); break;
      case 'B': out += kMonths[month - 1]; break;
      case 'H': out += TwoDigits(second / 3600); break;
      case 'M': out += TwoDigits(second / 60 % 60); break;
      case '%': out += '%'; break;
      default: out += format[i]; continue;
    }
    ++i;
  }
  return out;
}

}  // namespace teetee::model::jinja
