// The subcommands: one file each, listed in main.cpp.
#pragma once

#include "app/arguments.hpp"

namespace vedette::app {

Command scan_command();
Command run_command();
Command decode_command();
Command rules_command();
Command check_command();
Command status_command();
Command doctor_command();

}  // namespace vedette::app
