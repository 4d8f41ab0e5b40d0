// Helpers over SQLiteCpp that the gateway's databases share. Included by .cc files only.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "base/bytes.h"

namespace teetee::gateway {

inline constexpr int kBusyMs = 2000;

// SQLite's integers are signed: the bits are kept, and no query orders by a number above 2^63 (seq
// is checked on the way in).
inline int64_t Signed(uint64_t v) { return static_cast<int64_t>(v); }

template <size_t N>
void BindHash(SQLite::Statement& s, int index, const ByteArray<N>& bytes) {
  s.bind(index, bytes.data(), static_cast<int>(N));
}
inline void BindBytes(SQLite::Statement& s, int index, ByteView bytes) {
  s.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

inline ByteView BlobOf(SQLite::Statement& s, int column) {
  SQLite::Column value = s.getColumn(column);
  return ByteView(static_cast<const uint8_t*>(value.getBlob()),
                  static_cast<size_t>(value.getBytes()));
}
struct Damaged {};
template <size_t N>
ByteArray<N> FixedOf(SQLite::Statement& s, int column) {
  ByteView blob = BlobOf(s, column);
  if (blob.size() != N) throw Damaged{};
  ByteArray<N> out;
  std::memcpy(out.data(), blob.data(), N);
  return out;
}
inline uint64_t NumberOf(SQLite::Statement& s, int column) {
  return static_cast<uint64_t>(s.getColumn(column).getInt64());
}

// The seam where SQLite's exceptions end.
template <class Fn>
auto Guarded(const char* what, Fn fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const SQLite::Exception& e) {
    const bool damaged =
        e.getErrorCode() == 11 || e.getErrorCode() == 26;  // SQLITE_CORRUPT, SQLITE_NOTADB
    return Error(damaged ? Code::kDataLoss : Code::kUnavailable,
                 std::string("database: ") + what + ": " + e.what());
  } catch (const Damaged&) {
    return Error(Code::kDataLoss, std::string("database: ") + what + ": a row is malformed");
  }
}

}  // namespace teetee::gateway
