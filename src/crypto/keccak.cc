#include "crypto/keccak.h"

#include <algorithm>
#include <bit>

namespace teetee::crypto {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are loaded as they lie in memory");

constexpr uint64_t kRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
// rho and pi walk the lanes along one cycle: step i moves a lane to kPi[i], rotated by kRho[i].
constexpr int kRho[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                          27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
constexpr int kPi[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                         15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};

void Theta(uint64_t* a) {
  uint64_t c[5];
  for (int x = 0; x < 5; ++x) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  for (int x = 0; x < 5; ++x) {
    const uint64_t d = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
    for (int y = 0; y < 25; y += 5) a[y + x] ^= d;
  }
}

void RhoPi(uint64_t* a) {
  uint64_t lane = a[1];
  for (int i = 0; i < 24; ++i) {
    const uint64_t next = a[kPi[i]];
    a[kPi[i]] = std::rotl(lane, kRho[i]);
    lane = next;
  }
}

void Chi(uint64_t* a) {
  for (int y = 0; y < 25; y += 5) {
    uint64_t row[5];
    std::memcpy(row, a + y, sizeof(row));
    for (int x = 0; x < 5; ++x) a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
  }
}

void Permute(uint64_t* a) {
  for (uint64_t constant : kRoundConstants) {
    Theta(a);
    RhoPi(a);
    Chi(a);
    a[0] ^= constant;
  }
}

}  // namespace

void Keccak256Stream::AbsorbBlock(const uint8_t* block) {
  for (size_t i = 0; i < kRate / 8; ++i) {
    uint64_t lane;
    std::memcpy(&lane, block + 8 * i, 8);
    state_[i] ^= lane;
  }
  Permute(state_.data());
}

Keccak256Stream& Keccak256Stream::Update(ByteView data) {
  while (!data.empty()) {
    if (pending_size_ == 0 && data.size() >= kRate) {
      AbsorbBlock(data.data());
      data = data.subspan(kRate);
      continue;
    }
    const size_t n = std::min(kRate - pending_size_, data.size());
    std::memcpy(pending_.data() + pending_size_, data.data(), n);
    pending_size_ += n;
    data = data.subspan(n);
    if (pending_size_ == kRate) {
      AbsorbBlock(pending_.data());
      pending_size_ = 0;
    }
  }
  return *this;
}

Hash32 Keccak256Stream::Finish() {
  std::fill(pending_.begin() + static_cast<ptrdiff_t>(pending_size_), pending_.end(), uint8_t{0});
  pending_[pending_size_] ^= 0x01;
  pending_[kRate - 1] ^= 0x80;
  AbsorbBlock(pending_.data());
  Hash32 out;
  std::memcpy(out.data(), state_.data(), out.size());
  return out;
}

Hash32 Keccak256(ByteView data) {
  Keccak256Stream stream;
  stream.Update(data);
  return stream.Finish();
}

}  // namespace teetee::crypto
