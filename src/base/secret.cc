#include "base/secret.h"

namespace teetee {

void SecureZero(void* data, size_t size) {
  volatile uint8_t* p = static_cast<volatile uint8_t*>(data);
  while (size-- > 0) *p++ = 0;
}

}  // namespace teetee
