#pragma once

namespace engine {

/// The bytes of address space that `ulimit -v` leaves this process; infinity where it sets no limit.
double address_space_left();

}  // namespace engine
