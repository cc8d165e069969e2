package main

func open(door int) {
	if door > 0 {
		println("open"
	}
}
