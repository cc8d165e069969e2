def index(request):
    return "hello"
      return "never"
