// Binary operators, members, subscripts and slices.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "model/jinja/builtins.h"
#include "model/jinja/text.h"

namespace teetee::model::jinja {
namespace {

Error NoOperation(const Value& left, const Value& right) {
  return Bad("the operator does not apply to " + std::string(left.type()) + " and " + std::string(right.type()));
}

Result<Value> Float(double value) {
  if (!std::isfinite(value)) return Bad("the result is not a finite number");
  return Value(value);
}

Result<Value> Integer(Op op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = op == Op::kAdd        ? __builtin_add_overflow(a, b, &out)
                  : op == Op::kSubtract ? __builtin_sub_overflow(a, b, &out)
                                        : __builtin_mul_overflow(a, b, &out);
  if (overflow) return Bad("integer out of range");
  return Value(out);
}

Result<Value> IntegerDivision(Op op, int64_t a, int64_t b) {
  if (b == 0) return Bad("division by zero");
  if (b == -1) return op == Op::kModulo ? Result<Value>(Value(int64_t{0})) : Integer(Op::kSubtract, 0, a);
  if (op == Op::kModulo) return Value(a % b);  // the sign of the dividend, as in JavaScript
  int64_t quotient = a / b;
  return Value(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient);
}

Result<Value> Power(const Value& left, const Value& right) {
  double result = std::pow(left.as_double(), right.as_double());
  if (!std::isfinite(result)) return Bad("the power is not a finite number");
  if (left.is_float() || right.is_float() || right.as_double() < 0) return Value(result);
  if (std::fabs(result) >= 0x1p63) return Bad("integer out of range");
  return Value(static_cast<int64_t>(result));
}

Result<Value> Arithmetic(Op op, const Value& left, const Value& right) {
  double a = left.as_double(), b = right.as_double();
  bool integers = left.is_int() && right.is_int();
  switch (op) {
    case Op::kAdd: return integers ? Integer(op, left.as_int(), right.as_int()) : Float(a + b);
    case Op::kSubtract: return integers ? Integer(op, left.as_int(), right.as_int()) : Float(a - b);
    case Op::kMultiply: return integers ? Integer(op, left.as_int(), right.as_int()) : Float(a * b);
    case Op::kDivide: return Float(a / b);
    case Op::kFloorDivide:
      return integers ? IntegerDivision(op, left.as_int(), right.as_int()) : Float(std::floor(a / b));
    case Op::kModulo: return integers ? IntegerDivision(op, left.as_int(), right.as_int()) : Float(std::fmod(a, b));
    case Op::kLess: return Value(a < b);
    case Op::kGreater: return Value(a > b);
    case Op::kLessEqual: return Value(a <= b);
    case Op::kGreaterEqual: return Value(a >= b);
    default: return NoOperation(left, right);
  }
}

Result<Value> Concatenate(Budget& budget, const Value& left, const Value& right) {
  std::string a = left.is_string() ? std::string() : TT_TRY(OperandText(left, budget.max_text()));
  std::string b = right.is_string() ? std::string() : TT_TRY(OperandText(right, budget.max_text()));
  const std::string& x = left.is_string() ? left.as_string() : a;
  const std::string& y = right.is_string() ? right.as_string() : b;
  TT_RETURN_IF_ERROR(budget.Text(uint64_t{x.size()} + y.size()));
  std::string out;
  out.reserve(x.size() + y.size());
  return Value(std::move(out.append(x).append(y)));
}

Result<Value> ConcatenateLists(Budget& budget, const Value& left, const Value& right) {
  TT_RETURN_IF_ERROR(budget.Items(left.items().size() + right.items().size()));
  std::vector<Value> out = left.items();
  out.insert(out.end(), right.items().begin(), right.items().end());
  return MakeList(std::move(out));
}

Result<bool> Contains(Budget& budget, const Value& item, const Value& container) {
  if (container.is_list()) {
    TT_RETURN_IF_ERROR(budget.Work(container.items().size() * 8));
    for (const Value& candidate : container.items()) {
      if (candidate.is_string() && item.is_string()) {
        TT_RETURN_IF_ERROR(budget.Work(std::min(candidate.as_string().size(), item.as_string().size())));
      }
      if (candidate.StrictEquals(item)) return true;
    }
    return false;
  }
  if (item.is_string() && container.is_string()) {
    TT_RETURN_IF_ERROR(budget.Work(container.as_string().size()));
    return Find(container.as_string(), item.as_string()) != std::string::npos;
  }
  if (item.is_string() && container.is_map()) return container.as_map().Find(item.as_string()) != nullptr;
  return NoOperation(item, container);
}

Status ChargeComparison(Budget& budget, const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return budget.Work(std::min(a.as_string().size(), b.as_string().size()));
  return Ok{};
}

// Slice bounds as integers that cannot overflow.
Result<int64_t> Bound(const Value& value, int64_t otherwise) {
  constexpr int64_t kFar = int64_t{1} << 40;
  if (value.is_undefined()) return otherwise;
  if (!value.is_int()) return Bad("the bounds of a slice must be integers");
  return std::clamp(value.as_int(), -kFar, kFar);
}

struct Range {
  int64_t start, stop, step;
};

Result<Range> SliceRange(int64_t size, const Value& start_value, const Value& stop_value, const Value& step_value) {
  int64_t step = TT_TRY(Bound(step_value, 1));
  int64_t start = TT_TRY(Bound(start_value, step >= 0 ? 0 : size - 1));
  int64_t stop = TT_TRY(Bound(stop_value, step >= 0 ? size : -1));
  if (step >= 0) {
    start = start < 0 ? std::max<int64_t>(size + start, 0) : std::min(start, size);
    stop = stop < 0 ? std::max<int64_t>(size + stop, 0) : std::min(stop, size);
  } else {
    start = start < 0 ? std::max<int64_t>(size + start, -1) : std::min(start, size - 1);
    stop = stop < -1 ? std::max<int64_t>(size + stop, -1) : std::min(stop, size - 1);
  }
  return Range{start, stop, step};
}

template <class T, class Add>
void ForRange(const std::vector<T>& items, Range range, Add add) {
  if (range.step == 0) return;
  for (int64_t i = range.start; range.step > 0 ? i < range.stop : i > range.stop; i += range.step) {
    add(items[static_cast<size_t>(i)]);
  }
}

}  // namespace

Result<Value> ApplyBinary(Budget& budget, Op op, const Value& left, const Value& right) {
  if (op == Op::kEqual || op == Op::kNotEqual) {
    TT_RETURN_IF_ERROR(ChargeComparison(budget, left, right));
    return Value(left.LooseEquals(right) == (op == Op::kEqual));
  }
  bool membership = op == Op::kIn || op == Op::kNotIn;
  if (membership && right.is_undefined()) return Value(op == Op::kNotIn);
  if (left.is_undefined() || right.is_undefined() || left.is_null() || right.is_null()) return NoOperation(left, right);
  if (membership) return Value(TT_TRY(Contains(budget, left, right)) == (op == Op::kIn));
  if (op == Op::kConcatenate) return Concatenate(budget, left, right);
  if (op == Op::kPower && left.is_numeric() && right.is_numeric()) return Power(left, right);
  if (left.is_number() && right.is_number()) return Arithmetic(op, left, right);
  if (op == Op::kAdd && left.is_list() && right.is_list()) return ConcatenateLists(budget, left, right);
  if (op == Op::kAdd && (left.is_string() || right.is_string())) return Concatenate(budget, left, right);
  return NoOperation(left, right);
}

Result<Value> ApplySlice(Budget& budget, const Value& object, const Value& start, const Value& stop,
                         const Value& step) {
  if (object.is_list()) {
    const auto& items = object.items();
    Range range = TT_TRY(SliceRange(static_cast<int64_t>(items.size()), start, stop, step));
    std::vector<Value> out;
    ForRange(items, range, [&](const Value& v) { out.push_back(v); });
    return budget.List(std::move(out));
  }
  if (!object.is_string()) return Bad("only lists and strings have slices");
  TT_RETURN_IF_ERROR(budget.Work(object.as_string().size() * 4));
  auto characters = Characters(object.as_string());
  Range range = TT_TRY(SliceRange(static_cast<int64_t>(characters.size()), start, stop, step));
  std::string out;
  ForRange(characters, range, [&](std::string_view c) { out += c; });
  return budget.MakeString(std::move(out));
}

Result<Value> GetMember(const Value& object, std::string_view name) {
  if (object.has_members()) {
    if (const Value* found = object.as_map().Find(name)) return *found;
  }
  if (name == "length" && object.is_list()) return Value(static_cast<int64_t>(object.items().size()));
  if (name == "length" && object.is_string()) return Value(static_cast<int64_t>(Utf16Length(object.as_string())));
  if (HasMethod(object, name)) return Value(Function{Function::Kind::kMethod, 0});
  return Value();
}

Result<Value> GetIndex(Budget& budget, const Value& object, const Value& index) {
  if (object.is_string() || object.is_list()) TT_RETURN_IF_ERROR(budget.Work(object.is_string() ? object.as_string().size() : 1));
  if (index.is_string()) return GetMember(object, index.as_string());
  if (!index.is_int() || !(object.is_list() || object.is_string())) {
    return Bad("a value of type " + std::string(object.type()) + " has no index of type " + std::string(index.type()));
  }
  int64_t i = index.as_int();
  if (object.is_string()) {
    std::string character = Utf16At(object.as_string(), i);
    return character.empty() ? Value() : Value(std::move(character));
  }
  int64_t size = static_cast<int64_t>(object.items().size());
  if (i < 0) i += size;
  return i < 0 || i >= size ? Value() : object.items()[static_cast<size_t>(i)];
}

Value GetPath(const Value& object, std::string_view path) {
  Value value = object;
  while (true) {
    size_t dot = path.find('.');
    std::string_view part = path.substr(0, dot);
    Value next;
    int64_t index = 0;
    if (value.has_members()) {
      const Value* found = value.as_map().Find(part);
      if (found) next = *found;
    } else if (value.is_list() && ParseInteger(part, index) && index >= 0 &&
               static_cast<uint64_t>(index) < value.items().size()) {
      next = value.items()[static_cast<size_t>(index)];
    }
    if (dot == std::string_view::npos || next.is_undefined()) return next;
    value = next;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace teetee::model::jinja
