// Opens doors.
package main

func main() {
	open(1)
}
