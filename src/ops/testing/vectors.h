// The conformance vectors of profile 1 and the generators of their inputs. For tests only.
// Source: tests/vectors/numerics/VECTORS.md. The functions keep its names (Z, Fl, Wide, Hf) so that a record can be read
// beside its test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ops/dtype.h"

namespace teetee::ops::testing {

uint64_t Z(uint64_t seed, uint64_t k);      // splitmix64, value k
float Fl(uint64_t seed, uint64_t k);        // in [-1, 1), exact
float Wide(uint64_t seed, uint64_t k);      // Fl times 2^-8 .. 2^7
uint16_t Hf(uint64_t seed, uint64_t k);     // bits of a normal f16
std::vector<float> FlVector(uint64_t seed, size_t n, float factor = 1.0f);
std::vector<float> WideVector(uint64_t seed, size_t n);
std::vector<uint16_t> HfVector(uint64_t seed, size_t n);

// "row(seed)": k random weights in the layout of a quantised type.
Bytes QuantisedRow(DType dtype, uint64_t seed, size_t k);
// "fill=v": every byte except the f16 fields (MXFP4: except e) becomes v.
void FillCodes(DType dtype, uint8_t value, Bytes* row);
// "subnormal scales".
void MakeScalesSubnormal(DType dtype, Bytes* row);
// Gives every scale an exponent such that weights are about 2^-4, as in a model.
void TameScales(DType dtype, Bytes* row);
// Rows seed, seed+1, .. of a float type (see dot_F32 in VECTORS.md).
Bytes FloatRow(DType dtype, uint64_t seed, size_t k);

struct VectorRecord {
  std::string op;
  std::string in;
  uint64_t bytes = 0;
  std::string sha256;  // lower-case hex
  std::string head;    // hex of the first 32 bytes
};

// All records of tests/vectors/numerics/NAME, read relative to the repository root (where ctest runs).
Result<std::vector<VectorRecord>> LoadVectors(const std::string& name);

// Output bytes of a record, little-endian.
class VectorOutput {
 public:
  template <class T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* p = reinterpret_cast<const uint8_t*>(&value);
    bytes_.insert(bytes_.end(), p, p + sizeof(T));
  }
  template <class T>
  void All(const std::vector<T>& values) {
    for (const T& v : values) Put(v);
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

// "" when the output is the record's, else a line that says how it differs. sha256_hex is ToHex(crypto::Sha256(output)).
std::string Difference(const VectorRecord& record, ByteView output, const std::string& sha256_hex);

// Integers and decimals in a record's "in": ("K=512 R=40 x=...", "K") -> 512. kNotFound when the key is absent.
Result<double> Parameter(const std::string& in, const std::string& key);

}  // namespace teetee::ops::testing
