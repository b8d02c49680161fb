// Fields that decoders declare at start.
#pragma once

#include "event/field_table.hpp"

#include <string_view>

namespace vedette::decode {

/// The field of that name, with this type where nobody has declared it yet.
inline FieldId declare_field(FieldTable& fields, std::string_view name, FieldType type) {
  auto const known = fields.find(name);
  return known ? *known : fields.declare(name, type);
}

}  // namespace vedette::decode
