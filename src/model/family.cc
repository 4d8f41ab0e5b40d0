#include "model/family.h"

#include <utility>

#include "base/check.h"

namespace teetee::model {

void WeightSet::Put(std::string name, ops::PackedMatrix matrix) {
  weights_.emplace(std::move(name), std::move(matrix));
}

void WeightSet::Put(std::string name, Vector vector) {
  weights_.emplace(std::move(name), std::move(vector));
}

bool WeightSet::Has(std::string_view name) const { return weights_.find(name) != weights_.end(); }

ops::PackedMatrix WeightSet::TakeMatrix(std::string_view name) {
  const auto found = weights_.find(name);
  TT_CHECK(found != weights_.end() && std::holds_alternative<ops::PackedMatrix>(found->second));
  ops::PackedMatrix matrix = std::get<ops::PackedMatrix>(std::move(found->second));
  weights_.erase(found);
  return matrix;
}

WeightSet::Vector WeightSet::TakeVector(std::string_view name) {
  const auto found = weights_.find(name);
  TT_CHECK(found != weights_.end() && std::holds_alternative<Vector>(found->second));
  Vector vector = std::get<Vector>(std::move(found->second));
  weights_.erase(found);
  return vector;
}

std::unique_ptr<Family> MakeFamily(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
      return MakeLlamaFamily();
  }
  TT_CHECK(false);
}

}  // namespace teetee::model
