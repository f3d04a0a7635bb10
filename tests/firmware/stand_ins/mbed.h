// A stand-in: see README.md beside it.
#pragma once

#include <cstdint>

namespace mbed {

class Watchdog {
 public:
  static Watchdog& get_instance();
  bool start(uint32_t timeout);
  void kick();
};

template <typename F>
class Callback;

template <typename R>
class Callback<R()> {
 public:
  Callback(R (*function)());
};

template <typename R>
Callback<R()> callback(R (*function)()) {
  return Callback<R()>(function);
}

}  // namespace mbed
