// Whether somebody opens the Lab for the first time.
#pragma once

namespace lab {

/// Whether the introduction was seen or dismissed here before. Where there is no home to remember it in, it
/// was.
bool was_introduced();
/// An empty file in the user's configuration says so from now on; where none can be written nothing does.
void remember_introduction();

}  // namespace lab
