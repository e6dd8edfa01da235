# walk/: the OS model, and the designs that use its TEAs and shadows.
walk-space-src := walk/bits.c walk/buddy.c walk/dim.c walk/frames.c \
	walk/space.c walk/space_event.c walk/space_guess.c walk/space_map.c \
	walk/space_tea.c walk/space_unmap.c walk/tea.c walk/vma.c
